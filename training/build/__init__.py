"""Programs that make the bundled data from public packages; each writes the licences beside what it makes."""
