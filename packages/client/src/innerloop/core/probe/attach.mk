# innerloop: how a make that is started as always shows its targets. A project's GNUmakefile includes this file where it
# is there: while something on this machine is measured. `innerloop doctor` says more; `innerloop opt-out` removes it.
# It starts one process, only where targets will run, and prints nothing.
.innerloop-goal := $(.DEFAULT_GOAL)
# What looks at the list of files finds what it would find without this one.
.innerloop-files := $(subst $(subst ,, )@STATE@/attach.mk,,$(MAKEFILE_LIST))
# No catch-all rule of the project is for this file. A pattern rule without a recipe is no target to a completion, which
# asks for the data base.
@STATE@/attac%.mk: $(if $(findstring p,$(firstword -$(MAKEFLAGS))),,;)

# The letters of make's options; a variable that is set on the command line is no letter.
.innerloop-letters := $(foreach word,$(filter-out --%,$(firstword -$(MAKEFLAGS))),$(if $(findstring =,$(word)),,$(word)))
# Not in a make below another one, and not twice. Variables outlive the make that set them, in a tmux that a recipe started: so
# what they say is held against the processes above, where make can read that (since 4.2, and where there is a /proc).
.innerloop-reads := $(if $(filter 3.% 4.0 4.0.% 4.1 4.1.%,$(MAKE_VERSION)),,$(realpath /proc/self/status))
.innerloop-tab := $(subst ,,	)
.innerloop-status = $(if $(realpath /proc/$1/status),$(subst Pid:$(.innerloop-tab),Pid:,$(subst Name:$(.innerloop-tab),Name:,$(file </proc/$1/status))))
.innerloop-up = $(patsubst PPid:%,%,$(lastword $(filter PPid:%,$(call .innerloop-status,$1))))
.innerloop-is = $(filter $(.innerloop-member),$1)$(if $(.innerloop-member),,$(findstring make,$(filter Name:%,$(call .innerloop-status,$1))))
.innerloop-below = $(if $(filter-out 0 1,$1),$(if $(.innerloop-is),$1,$(call .innerloop-below,$(call .innerloop-up,$1))))
.innerloop-member := $(if $(filter undefined,$(origin __innerloop)),,$(firstword $(subst -, ,$(firstword $(subst :, ,$(__innerloop))))))
.innerloop-here := $(if $(.innerloop-member),$(if $(.innerloop-reads),$(call .innerloop-below,$(patsubst Pid:%,%,$(lastword $(filter Pid:%,$(call .innerloop-status,self))))),$(realpath /proc/$(.innerloop-member))))
.innerloop-member :=
.innerloop-here += $(if $(filter-out 0,$(MAKELEVEL)),$(if $(.innerloop-reads),$(call .innerloop-below,$(call .innerloop-up,self)),$(filter undefined,$(origin __innerloop))))
# Not where somebody follows the build from inside its processes, or traces it; not where nothing is run or make explains
# itself, not for a completion.
.innerloop-here += $(foreach name,LD_PRELOAD LD_AUDIT DYLD_INSERT_LIBRARIES,$(if $(filter environment,$(firstword $(origin $(name)))),$(value $(name))))
.innerloop-here += $(if $(realpath /etc/ld.so.preload),$(if $(.innerloop-reads),$(file </etc/ld.so.preload),preload))
.innerloop-here += $(if $(.innerloop-reads),$(filter-out TracerPid:0,$(filter TracerPid:%,$(call .innerloop-status,self))))
.innerloop-here += $(foreach letter,n q t p d,$(findstring $(letter),$(.innerloop-letters)))
.innerloop-here += $(filter --trace --debug --debug=%,$(MAKEFLAGS))$(filter-out undefined,$(origin __BASH_MAKE_COMPLETION__))
# Nor where a shell would tell what it runs, or is not run at all.
.innerloop-flags := $(if $(filter undefined,$(origin .SHELLFLAGS)),,$(.SHELLFLAGS))
.innerloop-here += $(filter command,$(origin .SHELLFLAGS))$(foreach letter,x v n,$(findstring $(letter),$(filter -%,$(.innerloop-flags))))
.innerloop-here += $(filter xtrace verbose noexec,$(.innerloop-flags))

ifeq (,$(strip $(.innerloop-here)))
ifneq (,$(filter sh bash dash ksh zsh ash,$(notdir $(SHELL))))
ifneq (,$(wildcard @COMMAND@))
# A make that made one of its own files anew has started over, as the same process: that is no second run.
.innerloop-again := $(if $(filter undefined,$(origin MAKE_RESTARTS)),,again)
.innerloop-found := $(shell exec @COMMAND@ attach $$PPID '$(subst ','\'',$(value MAKECMDGOALS))' $(.innerloop-again) 2>/dev/null)
ifneq (,$(word 2,$(.innerloop-found)))
export MAKEFILES := $(strip $(firstword $(.innerloop-found))/probe.mk $(filter-out $(firstword $(.innerloop-found))/probe.mk,$(if $(value MAKEFILES),$(MAKEFILES))))
export __innerloop := $(word 2,$(.innerloop-found))
include $(firstword $(.innerloop-found))/probe.mk
endif
endif
endif
endif
# Our rules are no goals of the project.
.DEFAULT_GOAL := $(.innerloop-goal)
MAKEFILE_LIST := $(.innerloop-files)
