# innerloop's probe: make reads this file first (MAKEFILES) and then shows each recipe line to the shim beside it. It
# changes no goal, no list of files, no text of yours. Where anything is missing or unusual it does nothing at all.
# GNU make 3.81 and later.
@DIR@/probe.mk: ;
.innerloop-empty :=
.innerloop-blank := $(.innerloop-empty) $(.innerloop-empty)
MAKEFILE_LIST := $(if $(word 2,$(MAKEFILE_LIST)),$(subst $(.innerloop-blank)@DIR@/probe.mk,,$(MAKEFILE_LIST)))

# make's options without the variables that follow ` -- `: `nk -j2 --trace`. Letters come first, without a dash.
.innerloop-options := |$(subst $(.innerloop-blank),|,$(MAKEFLAGS))|
.innerloop-options := $(subst |,$(.innerloop-blank),$(firstword $(subst |--|, ,$(.innerloop-options)) |))
.innerloop-letters := $(filter-out -%,$(firstword $(.innerloop-options)))
.innerloop-letters := $(if $(findstring =,$(.innerloop-letters)),,$(.innerloop-letters))
# Nothing is measured where nothing runs, where make explains itself, or where a completion asks for names;
.innerloop-aside := $(foreach letter,n q t p d,$(findstring $(letter),$(.innerloop-letters)))
.innerloop-aside += $(filter --trace --debug --debug=%,$(.innerloop-options))
.innerloop-aside += $(filter-out undefined,$(origin __BASH_MAKE_COMPLETION__))
# nor where somebody follows the build from inside its processes (bear, fakeroot, faketime), which the shim, being static, is
# not, or traces it. What make can read since 4.2 it reads without a process, where there is a /proc.
.innerloop-reads := $(if $(filter 3.% 4.0 4.0.% 4.1 4.1.%,$(MAKE_VERSION)),,$(realpath /proc/self/status))
.innerloop-tab := $(.innerloop-empty)	$(.innerloop-empty)
.innerloop-status = $(if $(realpath /proc/$1/status),$(subst Pid:$(.innerloop-tab),Pid:,$(file </proc/$1/status)))
.innerloop-self := $(if $(.innerloop-reads),$(call .innerloop-status,self))
.innerloop-preloads := LD_PRELOAD LD_AUDIT DYLD_INSERT_LIBRARIES
.innerloop-aside += $(foreach name,$(.innerloop-preloads),$(if $(filter environment,$(firstword $(origin $(name)))),$(value $(name))))
.innerloop-aside += $(if $(realpath /etc/ld.so.preload),$(if $(.innerloop-reads),$(file </etc/ld.so.preload),preload))
.innerloop-aside += $(filter-out TracerPid:0,$(filter TracerPid:%,$(.innerloop-self)))
# Nor where no run is being recorded that this make belongs to: variables outlive runs, in a tmux that a recipe started. The
# process that they name has to be this make or above it; where make cannot read that, it has to be there.
.innerloop-member := $(if $(filter undefined,$(origin __innerloop)),,$(firstword $(subst -, ,$(firstword $(subst :, ,$(__innerloop))))))
.innerloop-log := $(if $(.innerloop-member),$(lastword $(subst :, ,$(__innerloop))))
.innerloop-below = $(if $(filter $(.innerloop-member),$1),$1,$(if $(filter-out 0 1,$1),$(call .innerloop-below,$(patsubst PPid:%,%,$(lastword $(filter PPid:%,$(call .innerloop-status,$1)))))))
.innerloop-there = $(if $(.innerloop-reads),$(call .innerloop-below,$(patsubst Pid:%,%,$(lastword $(filter Pid:%,$(.innerloop-self))))),$(if $(realpath /proc/self),$(realpath /proc/$(.innerloop-member)),unknown))
.innerloop-aside += $(if $(.innerloop-log),$(if $(wildcard $(.innerloop-log)),$(if $(.innerloop-there),,ended),log),run)
.innerloop-self :=
# Nor where the shim is not there, or where this file was read already. Older makes have one that knows their ways.
.innerloop-old := $(filter-out 4.2.9%,$(filter 3.% 4.0 4.0.% 4.1 4.1.% 4.2 4.2.%,$(MAKE_VERSION)))
.innerloop-shims := @DIR@$(if $(.innerloop-old),/make-$(if $(filter 3.81 3.81.%,$(MAKE_VERSION)),3.81,4.2))
.innerloop-aside += $(if $(wildcard $(.innerloop-shims)/sh),,shim) $(filter-out undefined,$(origin .innerloop-mode))

ifeq (,$(strip $(.innerloop-aside)))

# What the shim is told of a line. make expands an exported variable once for each target, in the target's context, and
# no shell looks at it. It is one string of at most 128 KB for execve(2), and make cannot count characters; but abspath
# drops a word that is longer than a path may be (4 KB). So five groups of 16 names, each of which comes only if it fits.
define .innerloop-newline


endef
.innerloop-fit = $(if $(abspath /$(subst $(.innerloop-blank),|,$(strip $1))),$1)
.innerloop-16 = $(call .innerloop-fit,$(wordlist 1,16,$1))
.innerloop-32 = $(.innerloop-16) $(call .innerloop-fit,$(wordlist 17,32,$1))
.innerloop-64 = $(.innerloop-32)$(if $(word 33,$1), $(call .innerloop-fit,$(wordlist 33,48,$1)) $(call .innerloop-fit,$(wordlist 49,64,$1)))
.innerloop-names = $(if $(word 17,$1),$(.innerloop-64),$(call .innerloop-fit,$1))$(.innerloop-newline)
.innerloop-about = $(call .innerloop-fit,$@)$(.innerloop-newline)$(call .innerloop-names,$(wordlist 1,64,$^))$(call .innerloop-names,$(wordlist 1,16,$|))
.innerloop-given = $(if $(filter undefined,$(origin $1)),-,+$($1))$(.innerloop-newline)
.innerloop-shells = $(call .innerloop-given,PWD)$(call .innerloop-given,OLDPWD)$(call .innerloop-given,SHLVL)$(call .innerloop-given,_)

# A plain line reaches the shim as one argument, which execve(2) takes up to 128 KB of, while make by itself runs it as many.
# So /bin/sh stays as it is where a line could be as long: in a make with a text of 48 KB and no newline, which may be used more
# than once, and for a target with 96 KB of prerequisites. How long words are is judged by the first ones; fewer than 64 words
# are no such text, whatever is in them.
.innerloop-sizes := 12000 3000 1500 750 64
.innerloop-many = $(if $(call .innerloop-fit,$(wordlist 1,1024,$1)),1,$(if $(call .innerloop-fit,$(wordlist 1,256,$1)),2,$(if $(call .innerloop-fit,$(wordlist 1,128,$1)),3,$(if $(call .innerloop-fit,$(wordlist 1,64,$1)),4,5))))
.innerloop-much = $(if $(call .innerloop-fit,$1),,$(word $(word $(.innerloop-many),$(.innerloop-sizes)),$1))
.innerloop-texts = $(foreach name,$(filter-out .innerloop%,$(.VARIABLES)),$(if $(word 64,$(value $(name))),$(if $(findstring $(.innerloop-newline),$(value $(name))),,$(call .innerloop-much,$(value $(name))))))
.innerloop-needs = $(if $(word 64,$+ $|),$(if $(call .innerloop-much,$+ $|),$(call .innerloop-much,$(wordlist $(word $(call .innerloop-many,$+ $|),$(.innerloop-sizes)),99999,$+ $|))))

# Does a file look at the text of SHELL, export it, or set it for some targets only? Then the text has to stay as it is.
# Files are read without a process ($(file <), make 4.2), and only where their names are usual: another could be a pipe.
# $(filter) would not do: it takes 40 bytes of stack for each word. As one line: blanks are single, ` | ` ends a line, and what sets SHELL for all targets, which is harmless, is gone.
.innerloop-usual := Makefile% makefile% GNUmakefile% Kbuild% %.mk %.mak %.make %.inc %.conf %.config
.innerloop-lists := %.d %.P %.Po %.Plo %.Tpo %.dep %.deps %.cmd
.innerloop-read = $(if $(wildcard $1),$(if $(wildcard $1/.),,$(file <$1)))
.innerloop-flat = $(subst | SHELL,,$(strip $(subst SHELLFLAGS,,| $(subst $(.innerloop-newline), | ,$(.innerloop-read)) |)))
.innerloop-looks := (SHELL) {SHELL} (SHELL: {SHELL: ,SHELL) ,SHELL} :SHELL .EXPORT_ALL_VARIABLES
.innerloop-words := SHELL SHELL) SHELL}
.innerloop-begins := SHELL= SHELL:= SHELL?=
.innerloop-found = $(foreach look,$(.innerloop-looks) $(if $(.innerloop-odd),.ONESHELL),$(findstring $(look),$1))$(findstring | export |,$1)$(call .innerloop-found-words,$(.innerloop-blank)$1$(.innerloop-blank))
.innerloop-found-words = $(foreach look,$(.innerloop-words),$(findstring $(.innerloop-blank)$(look)$(.innerloop-blank),$1))$(foreach look,$(.innerloop-begins),$(findstring $(.innerloop-blank)$(look),$1))
# A list of files that a Makefile emptied does not tell: those that make reads by itself are looked at in any case, and a
# list that is empty or begins with another file is doubted. A GNUmakefile that attaches takes itself off the list.
.innerloop-first := $(filter-out GNUmakefile,$(firstword $(MAKEFILE_LIST)))
.innerloop-lost = $(if $(strip $(MAKEFILE_LIST)),$(if $(.innerloop-first),$(filter-out $(.innerloop-first),$(firstword $(MAKEFILE_LIST)))),lost)
.innerloop-files = $(filter-out $(.innerloop-lists),$(MAKEFILE_LIST) $(filter-out $(MAKEFILE_LIST),$(wildcard GNUmakefile makefile Makefile)))
# One more: with .ONESHELL a SHELL that is not one plain word names no program, while anywhere else make takes it apart.
.innerloop-odd = $(subst x$(firstword $(SHELL))x,,x$(SHELL)x)$(findstring \,$(SHELL))$(findstring ',$(SHELL))$(findstring ",$(SHELL))
.innerloop-exact = $(.innerloop-lost)$(foreach file,$(.innerloop-files),$(if $(filter $(.innerloop-usual),$(notdir $(file))),$(call .innerloop-found,$(call .innerloop-flat,$(file))),$(file)))

# What hinders the mode `flags`, which runs a shell more: that drops variables whose names are none to it, and sets four
# whose values it is told, if they are short lines; a library that lines preload would see it; and bash speaks up about some. Looked at only where that mode is wanted.
.innerloop-marks := % . - ( ) + / @ : [ ] { } ~ ! ^ * ? & < > ' " ; \ |
.innerloop-own := PWD OLDPWD SHLVL _
.innerloop-marked = $(foreach name,$1,$(if $(strip $(foreach mark,$(.innerloop-marks),$(findstring $(mark),$(name)))),$(name)))
.innerloop-from = $(call .innerloop-marked,$(foreach name,$(filter-out .innerloop% .SHELLFLAGS .DEFAULT_GOAL,$(.VARIABLES)),$(if $(filter $1,$(firstword $(origin $(name)))),$(name))))
.innerloop-long = $(foreach name,$(.innerloop-own),$(if $(filter undefined,$(origin $(name))),,$(if $(findstring $(.innerloop-newline),$($(name))),lines)$(if $(call .innerloop-fit,$($(name)).),,long)))
.innerloop-exports = $(if $(findstring | unexport ,$1),$(foreach name,$(.innerloop-own),$(findstring $(.innerloop-blank)$(name)$(.innerloop-blank),$1)))$(if $(findstring | export ,$1),$(foreach name,$(.innerloop-set),$(findstring | export $(name),$1)))
.innerloop-hidden = $(foreach file,$(.innerloop-files),$(if $(filter $(.innerloop-usual),$(notdir $(file))),$(call .innerloop-exports,$(call .innerloop-flat,$(file)))))
.innerloop-digits := 0 1 2 3 4 5 6 7 8 9
.innerloop-level = $(if $(filter undefined,$(origin SHLVL)),,$(filter-out $(.innerloop-digits) $(foreach digit,$(.innerloop-digits),$(addprefix $(digit),$(.innerloop-digits))),$(SHLVL)))
.innerloop-locale = $(if $(filter undefined,$(origin LC_ALL)),,$(filter-out C POSIX C.UTF-8 C.utf8,$(LC_ALL)))
.innerloop-loud = $(foreach name,BASH_ENV SHELLOPTS BASHOPTS BASH_COMPAT,$(filter-out undefined,$(origin $(name))))$(.innerloop-level)$(.innerloop-locale)
define .innerloop-find-quiet
.innerloop-set := $(call .innerloop-from,file override)
.innerloop-set := $(if $(word 200,$(.innerloop-set)),,$(.innerloop-set))
.innerloop-quiet := $(if $(strip $(call .innerloop-from,environment)$(.innerloop-long)$(foreach name,$(.innerloop-preloads),$(value $(name)))),,sh dash ash $(if $(strip $(.innerloop-loud)),,bash))
.innerloop-quiet := $(if $(filter 4.0 4.0.% 4.1 4.1.%,$(MAKE_VERSION)),$(.innerloop-quiet),$(if $(strip $(.innerloop-hidden)),,$(.innerloop-quiet)))
endef

# The mode, found when all files were read, so that SHELL and .SHELLFLAGS are what they will be:
#   shell  the shim is make's SHELL, under the real shell's name. Cheapest; $(SHELL) reads differently.
#   other  the same where SHELL is not /bin/NAME: its text travels in .SHELLFLAGS.
#   flags  SHELL stays as it is, and its flags lead to the shim: two processes more. Only for shells that read no file
#          of the user's at their start. Not before make 4.0, and not where .POSIX has make choose flags line by line.
#   none   no line is measured: SHELL would have other effects, or only a mode that changes what is seen would do.
.innerloop-mode := none
.innerloop-risky := @ < ^ ? * + | warning info error eval file call foreach if value origin
.innerloop-steady = $(if $(findstring $$,$(value SHELL)),$(if $(strip $(foreach word,$(.innerloop-risky),$(findstring $(word),$(value SHELL)))),,yes),yes)
define .innerloop-choose
.innerloop-shell := $(filter sh bash dash ksh rksh zsh ash,$(if $(word 2,$(SHELL)),,$(notdir $(SHELL))))
.innerloop-standard := $(filter /bin/$(.innerloop-shell),$(SHELL))
.innerloop-posix := $(if $(filter default,$(origin .SHELLFLAGS)),$(filter -ec,$(value .SHELLFLAGS)))
ifneq (,$(if $(filter /bin/sh,$(SHELL)),$(strip $(.innerloop-texts))))
else ifneq (,$(filter 3.%,$(MAKE_VERSION)))
  .innerloop-mode := $(if $(filter command,$(origin SHELL)),none,$(if $(.innerloop-standard),shell,none))
else ifneq (,$(.innerloop-posix))
  .innerloop-mode := $(if $(filter command,$(origin SHELL)),none,$(if $(.innerloop-standard),shell,none))
else ifneq (,$(filter command,$(origin SHELL))$(filter 4.0 4.0.% 4.1 4.1.%,$(MAKE_VERSION)))
  $(eval $(value .innerloop-find-quiet))
  .innerloop-mode := $(if $(filter $(.innerloop-quiet),$(.innerloop-shell)),flags,none)
else ifneq (,$(strip $(.innerloop-exact)))
  $(eval $(value .innerloop-find-quiet))
  .innerloop-mode := $(if $(filter $(.innerloop-quiet),$(.innerloop-shell)),flags,none)
else
  .innerloop-mode := $(if $(.innerloop-standard),shell,other)
endif
endef

define .innerloop-use-shell
override SHELL$(if $(filter sh,$(.innerloop-shell)), = $$(if $$(.innerloop-needs),/bin/sh,$(.innerloop-shims)/sh), := $(.innerloop-shims)/$(.innerloop-shell))
endef
define .innerloop-use-other
.innerloop-flags = @$(SHELL) $(value .SHELLFLAGS)
override .SHELLFLAGS = $$(.innerloop-flags)
override SHELL := $(.innerloop-shims)/$(if $(.innerloop-shell),$(.innerloop-shell),other)
endef
define .innerloop-use-flags
.innerloop-flags = $(value .SHELLFLAGS)
.innerloop-through = $$(if $$(word 2,$$(SHELL)),,$$(if $$(filter $$(.innerloop-quiet),$$(notdir $$(SHELL))),$$(if $$(.innerloop-needs),,$(.innerloop-shims)/exec.sh $$(SHELL)$$(.innerloop-blank))))
override .SHELLFLAGS = $$(.innerloop-through)$$(.innerloop-flags)
endef
.innerloop-use-none :=
define .innerloop-tell
override __innerloop_line = $$(.innerloop-about)$(if $(filter flags,$(.innerloop-mode)),$$(.innerloop-shells))
export __innerloop_line
endef

# What runs it: a file that is included and missing has to be made, after all others were read, and its recipe is nothing
# but this. Nothing is executed for it, so make neither prints nor starts again, also where a rule matches every name.
.innerloop-hook: ; $(if $(.innerloop-steady),$(eval $(value .innerloop-choose))$(eval $(.innerloop-use-$(.innerloop-mode)))$(if $(filter-out none,$(.innerloop-mode)),$(eval $(.innerloop-tell))))
-include .innerloop-hook
endif
