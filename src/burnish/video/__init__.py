"""Working with videos: cutting, extracting frames, pipelines of filters, and labels that follow."""
