"""The store on AWS: one DynamoDB table for each service. Importing this room imports no boto3."""
