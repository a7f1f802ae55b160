"""Deliveries as they come: from what a framework hands over to the status to answer."""
