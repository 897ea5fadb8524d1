"""The ratings database: SQLite in the study's folder, or PostgreSQL by URL; one code for both."""
