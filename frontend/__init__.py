"""What people see: templates, CSS and ES modules. No Python lives here but this docstring."""
