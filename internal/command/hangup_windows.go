package command

import "os"

// hangup does not exist there.
var hangup os.Signal
