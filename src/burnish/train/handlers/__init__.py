"""What happens around the steps of a training: accumulation, mixed precision, skipping, clipping, averaging, freezing, saving, stopping.

Their order is `burnish.train.handlers.order.ORDER`, however they are given. Nothing heavy is loaded before one is built.
"""
