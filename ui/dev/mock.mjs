export function handle(req, res) { res.statusCode = 404; res.end(); }
