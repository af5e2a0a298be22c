"""What the monitor computes: a window's rows and profile, labels matched to predictions, the comparison."""
