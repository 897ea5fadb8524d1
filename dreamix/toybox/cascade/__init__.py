"""The embedded cascade: a small text-to-video diffusion model that knows Toybox."""
