"""What a record holds, table by table, with its history."""
