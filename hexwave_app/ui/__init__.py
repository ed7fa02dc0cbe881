"""The pages, their States, and the events they send."""

from hexwave_app.ui.setvar import remove_setvar

# Here, since every State of the pages is defined in a module that is imported after this one.
remove_setvar()
