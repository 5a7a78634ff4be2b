"""Where agents are deployed to: what makes true what the pointers say."""
