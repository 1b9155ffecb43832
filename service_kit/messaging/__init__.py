"""Messages on AWS: queues (SQS), the bus of events (EventBridge), timers (SQS, EventBridge Scheduler), blobs (S3).

Whatever is sent may arrive twice; receivers know by the deterministic ids in it. No service is known here, no table.
"""
