"""Did this developer agree, to what, and does that still hold? Off when in doubt.

`resolve` answers from the sources (project file, consent file, machine file, environment, git remotes); `apply`
makes what follows from it on disk, the launcher's hot file too; `answer` reads and writes the consent file, `places` says where it is; `texts`,
`changes` and `phrases` say it in words.
"""
