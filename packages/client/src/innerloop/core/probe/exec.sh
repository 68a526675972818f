exec @DIR@/exec "$@"
