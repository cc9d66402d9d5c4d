# Serves a folder of repositories over HTTP, by git's own backend, to whoever knows a name and password: `ROOT NAME PASSWORD`, on
# standard input, a word a line. Prints its port. While it is asked, it looks for the password in the arguments of all processes
# and writes down whose they are.
import base64
import glob
import http.server
import os
import subprocess
import sys

root, name, password = sys.stdin.read().split("\n")[:3]
wanted = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        # As it stands in an address, its odd characters are written otherwise.
        plain = password[:6].encode()
        for file in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                words = open(file, "rb").read()
            except OSError:
                continue
            if plain in words:
                with open(root + "/seen", "ab") as seen:
                    seen.write(words.replace(b"\0", b" ") + b"\n")
        if self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        size = int(self.headers.get("Content-Length") or 0)
        variables = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": root, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
            "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_USER": name, "CONTENT_LENGTH": str(size),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
        }
        answer = subprocess.run(["git", "http-backend"], input=self.rfile.read(size), env=variables, stdout=subprocess.PIPE)
        head, _, body = answer.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200 OK").split()[0]))
        for field in fields.items():
            self.send_header(*field)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
print(server.server_port, flush=True)
server.serve_forever()
