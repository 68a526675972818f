"""The client's queue on disk, read by everything but the launcher, which only writes it.

    run/ID   under way, or its launcher was killed     new/ID     finished
    sealed/ID  the very bytes that will leave          sent/ID    the very bytes that left
    quarantine/ID  refused or unreadable, with a reason
    recorded, acknowledged, local, dropped-REASON      journals of run ids, 32 hex digits each
    totals.json, folding.json   the numbers that old entries of the journals became
    held.json    runs that our own collector took and holds back
    targets/ID   what the probe wrote down about the run's recipe lines; stays for `timeline`
    history  what the developer's own report reads: exact, never sent

Every run of the journal `recorded` is in exactly one of the other places: that is the ledger.
"""
