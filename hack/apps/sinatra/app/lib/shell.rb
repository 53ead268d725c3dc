# Shell runs a program and returns what it prints.
module Shell
  def self.run(*command)
    IO.popen(command, &:read)
  end
end
