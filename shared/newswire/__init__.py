"""What every Newswire service and every consumer of its topics shares."""
