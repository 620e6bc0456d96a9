"""Large messages as objects in a bucket that speaks S3: how they are laid out, put, read and, once nobody names them
any more, collected."""
