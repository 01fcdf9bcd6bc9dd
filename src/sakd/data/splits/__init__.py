"""Recipe, validation and test images, and the card that describes them."""
