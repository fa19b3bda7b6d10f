"""What agents do together with a thread beside answering it: who has it, what they tell each other, when it comes back.

Each act is a line in the thread that no citizen sees (messaging/models/notes.py), an entry in the trail without its
words, and news to every page that shows the thread.
"""
