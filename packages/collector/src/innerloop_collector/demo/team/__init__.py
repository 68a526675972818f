"""A team to look at: a year of simulated developers, poured into a throw-away store through the real service.

`projects` says what they work on, `planted` which changes have which effect, `people` who they are, `work` and `runs` what they do all day, and `simulate`
what they deliver: seed in, batches out, and nothing else. `plan_file` writes down what was planted; `send` delivers over HTTP and has simulated time pass; `main` tells the story.
"""
