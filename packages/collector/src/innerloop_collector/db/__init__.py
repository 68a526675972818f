"""ClickHouse's engine, embedded or a server's: opening it, the tables' description, upgrades, and the one lease."""
