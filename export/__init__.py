"""Writes the ONNX file with its card, verified against torch."""
