"""What leaves a study: tables under pseudonyms, what every column means, and a list for payment."""
