"""Ways into other people's tools. Each needs an extra of its own, and is loaded only when it is named."""
