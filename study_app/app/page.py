"""The script that Streamlit runs for every page of a rater."""

from study_app.app.drawing import draw

draw()
