"""What a rater meets: Streamlit draws, `study_app.flow` decides."""
