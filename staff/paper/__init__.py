"""What every sheet of paper needs: a page that needs no other file, and a PDF of it."""
