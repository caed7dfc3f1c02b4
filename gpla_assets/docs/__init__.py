"""The documentation: pages in Markdown, the reference made of the code, the site."""
