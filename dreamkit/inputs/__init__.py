"""What comes from outside: pictures' files and the web, without their traps."""
