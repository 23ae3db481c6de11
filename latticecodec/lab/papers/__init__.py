"""The tables of the papers behind the quantizers, rerun (`lcodec reproduce`)."""
