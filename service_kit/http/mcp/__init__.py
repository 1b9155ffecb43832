"""MCP at `/mcp`: a service's commands and workflows as tools, its documents as resources, its prompts.

The protocol is the official SDK's, which is imported here and nowhere else: with the first request, because a service
that no agent asks does not pay for it. docs/design/mcp.md has the decisions.
"""
