from sandbox.core.http import Response


class SuiteQL:
    def __init__(self, records): ...
    def forget(self): ...
    def answer(self, call):
        return Response(500)
