from flask import Flask

__version__ = "VERSION"


def create_app(config="CTFd.config.Config"):
    app = Flask(__name__)

    @app.route("/")
    def index():
        return __version__

    @app.route("/healthcheck")
    def healthcheck():
        return "OK"

    return app
