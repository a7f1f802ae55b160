"""Files that the simulated Syntage holds, and the storage that hands them out."""
