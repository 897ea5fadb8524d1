"""Diffusion as pure functions over a denoiser (z, t) -> x0; equations stand beside the code."""
