"""Every point between two durable steps at which a process can die, by name, in the order a run meets them.

Where in the program each one is: seams.py.  What must hold whichever it was: books.py.  "Written" means that
a step of the ledger has run and is not committed yet, "committed" that it has just become durable.
"""

from __future__ import annotations

from enum import StrEnum


class Point(StrEnum):
    """One point of death; the comment says what is true outside at that moment."""

    # ── opening the folder ──
    FOLDER_MADE = "folder made"  # an empty folder
    LOCKED = "locked"  # a lock file that names nobody, no ledger
    LEDGER_OPENED = "ledger opened"  # a ledger without jobs; the lock does not say yet that it is open
    LOCK_NAMED = "lock named"  # the lock says that the ledger is open
    MANIFEST_STAGED = "manifest staged"  # every row was read, none is in the ledger
    MANIFEST_TAKEN_IN = "manifest taken in"  # inside the transaction that takes the manifest in
    MANIFEST_COMMITTED = "manifest committed"  # the jobs are pending

    # ── a submission ──
    INTENT_WRITTEN = "intent written"  # nothing was sent
    INTENT_COMMITTED = "intent committed"  # nothing was sent, but the ledger says that it may have been
    SUBMISSION_LEAVING = "submission leaving"  # the request stands at the wire
    SUBMISSION_TAKEN = "submission taken"  # accepted and paid; the answer is on its way
    ANSWER_RECEIVED = "answer received"  # the request id is in memory only
    ID_WRITTEN = "request id written"
    ID_COMMITTED = "request id committed"
    TURNED_AWAY_WRITTEN = "turned away, written"  # 429: certainly not accepted
    TURNED_AWAY_COMMITTED = "turned away, committed"
    REFUSAL_WRITTEN = "refusal written"
    REFUSAL_COMMITTED = "refusal committed"
    DOUBT_WRITTEN = "doubt written"  # the answer was lost on the way
    DOUBT_COMMITTED = "doubt committed"

    # ── watching a request ──
    LOOK_LEAVING = "look leaving"
    LOOK_ANSWERED = "look answered"  # it may be done, and only memory knows
    RESULT_LEAVING = "result leaving"
    RESULT_ANSWERED = "result answered"  # the links are in memory only
    OUTPUTS_WRITTEN = "outputs written"
    OUTPUTS_COMMITTED = "outputs committed"
    FAILURE_WRITTEN = "failure written"  # a failed generation that will be tried again
    FAILURE_COMMITTED = "failure committed"
    END_WRITTEN = "last failure written"  # its last attempt, or no output
    END_COMMITTED = "last failure committed"
    CANCELLED_WRITTEN = "cancelled there, written"
    CANCELLED_COMMITTED = "cancelled there, committed"

    # ── fetching a film ──
    DOWNLOAD_LEAVING = "download leaving"
    DOWNLOAD_ANSWERED = "download answered"  # an empty part file
    PART_HALF_WRITTEN = "part half written"
    PART_WRITTEN = "part written"  # every byte arrived, none was checked
    PART_CHECKED = "part checked"  # a whole film, not synced
    PART_SYNCED = "part synced"  # its bytes are durable, its name is not chosen
    PART_REJECTED = "part rejected"  # what arrived was no film and lies beside
    LINK_WRITTEN = "fresh link written"
    LINK_COMMITTED = "fresh link committed"
    NAME_WRITTEN = "name written"
    NAME_RESERVED = "name reserved"  # the ledger names a file that is not there
    RENAMED = "renamed"  # the file has its name, its folder is not synced
    KEPT = "kept"  # the file is durable under its name, the ledger does not say so
    SAVED_WRITTEN = "saved, written"
    SAVED_COMMITTED = "saved, committed"
    NOTE_WRITTEN = "kept error written"  # a download that keeps failing
    NOTE_COMMITTED = "kept error committed"

    # ── an edit, a redo, a file that went missing ──
    RERUN_WRITTEN = "rerun written"
    RERUN_COMMITTED = "rerun committed"
    EDIT_WRITTEN = "edit written"
    MISSING_WRITTEN = "missing file written"
    MISSING_COMMITTED = "missing file committed"
    SUPERSEDED_MOVED = "superseded film moved"  # the ledger has its old place
    SUPERSEDED_WRITTEN = "superseded film written"
    SUPERSEDED_COMMITTED = "superseded film committed"
    FLAWED_SET_ASIDE = "flawed film set aside"  # verify --repair: the ledger says that it is saved

    # ── cancelling, and the user's word ──
    CANCEL_LEAVING = "cancel leaving"
    CANCEL_ANSWERED = "cancel answered"  # it will not run; the ledger waits for it
    UNSENT_CANCEL_WRITTEN = "cancel of an unsent job written"
    UNSENT_CANCEL_COMMITTED = "cancel of an unsent job committed"
    TAKE_BACK_WRITTEN = "take-back written"
    TAKE_BACK_COMMITTED = "take-back committed"
    RESUBMIT_WRITTEN = "resubmit written"
    RESUBMIT_COMMITTED = "resubmit committed"
    ATTACH_WRITTEN = "attach written"
    ATTACH_COMMITTED = "attach committed"
    GIVE_UP_WRITTEN = "give-up written"
    GIVE_UP_COMMITTED = "give-up committed"

    # ── the end ──
    RESULTS_HALF_WRITTEN = "results half written"
    REPORT_WRITTEN = "result file written"  # whole and synced, under no name
    REPORT_NAMED = "result file named"
    CHECKPOINT_DUE = "checkpoint due"
    CHECKPOINT_MADE = "checkpoint made"  # SQLite's log is empty
    LEDGER_CLOSED = "ledger closed"  # the lock says that it is open
    LOCK_RELEASED = "lock released"
