"""What results say of the papers: verdicts on rows and on claims."""
