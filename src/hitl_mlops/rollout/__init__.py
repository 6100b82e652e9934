"""One challenger's way to champion: approval, shadow, canary, promotion or the way back."""
