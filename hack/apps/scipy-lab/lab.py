import json
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np


def mean(x):
    return float(np.mean(x))


def solve(_):
    from scipy import linalg

    return linalg.solve(np.array([[3, 2], [1, 2]]), np.array([12, 8])).round(6).tolist()


def fft(x):
    from scipy import fft

    return np.abs(fft.fft(x)).round(6).tolist()


def ttest(x):
    from scipy import stats

    return stats.ttest_1samp(x, 0).pvalue


def minimize(_):
    from scipy import optimize

    return optimize.minimize(optimize.rosen, [1.3, 0.7]).x.round(2).tolist()


def spline(x):
    from scipy import interpolate

    return float(interpolate.CubicSpline(range(len(x)), x)(0.5))


def eigen(_):
    from scipy import sparse
    from scipy.sparse.linalg import eigsh

    return eigsh(sparse.diags([1.0, 2, 3, 4, 5]).tocsc(), k=1)[0].round(6).tolist()


def neighbours(x):
    from scipy.spatial import KDTree

    return KDTree(np.array(x).reshape(-1, 1)).query([2.2])[0]


def integrate(_):
    from scipy.integrate import quad, solve_ivp

    return [quad(np.sin, 0, np.pi)[0], float(solve_ivp(lambda t, y: -y, (0, 1), [1]).y[0, -1].round(2))]


def smooth(x):
    from scipy import ndimage, signal

    return [ndimage.gaussian_filter1d(x, 1).round(3).tolist(), signal.butter(2, 0.5)[0].round(3).tolist()]


def special(x):
    from scipy import special

    return special.gamma(x).tolist()


def cluster(x):
    from scipy.cluster.hierarchy import fcluster, linkage

    return len(set(fcluster(linkage(np.array(x).reshape(-1, 1)), 1, "distance")))


def random(_):
    return np.random.default_rng(1).normal(size=2).round(4).tolist()


def roundtrip(x):
    import io

    from scipy.io import loadmat, savemat

    out = io.BytesIO()
    savemat(out, {"x": x})
    return loadmat(io.BytesIO(out.getvalue()))["x"].tolist()


def polynomial(x):
    from numpy.polynomial import Chebyshev

    return Chebyshev.fit(range(len(x)), x, 1).convert().coef.round(3).tolist()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        function = globals().get(url.path[1:])
        if not callable(function) or isinstance(function, type):
            self.send_error(404)
            return
        answer = json.dumps(function([float(x) for x in parse_qs(url.query).get("x", [])]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(answer.encode())


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
ThreadingHTTPServer(("", 8000), Handler).serve_forever()
