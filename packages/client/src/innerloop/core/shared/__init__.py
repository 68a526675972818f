"""What the parts of `core` share: environment, paths, files, the launcher's cache, programs, the terminal."""
