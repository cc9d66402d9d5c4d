import tornado.web

import flower


class Index(tornado.web.RequestHandler):
    def get(self):
        self.write(flower.__version__)


class Healthcheck(tornado.web.RequestHandler):
    def get(self):
        self.write("OK")


class Flower(tornado.web.Application):
    def __init__(self):
        super().__init__([("/", Index), ("/healthcheck", Healthcheck)])
