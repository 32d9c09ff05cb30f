"""The U-Net, its samples and its fit. The only room, with export, that knows torch."""
