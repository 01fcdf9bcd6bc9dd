"""Networks of torchvision, timm and other packages."""
