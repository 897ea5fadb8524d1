"""Small pretrained weights that travel with the toolkit; README.md says where they come from."""
