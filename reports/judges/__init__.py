"""`dreamix judge`: a judge of edits examined, and the page of that."""
