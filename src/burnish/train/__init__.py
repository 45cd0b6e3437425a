"""The training toolkit: loop, sampler, schedule, transforms, probes."""
