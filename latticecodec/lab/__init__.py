"""Everything that needs torch and is not needed to open a picture: networks, training, evaluation, papers."""
