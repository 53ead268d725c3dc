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


def hull(_):
    from scipy.spatial import ConvexHull, Delaunay

    points = np.array([[0, 0], [2, 0], [0, 1], [1, 1], [0.5, 0.5]])
    return [round(ConvexHull(points).area, 3), round(float(Delaunay(points).points[4, 0]), 3)]


def paths(_):
    from scipy import stats
    from scipy.sparse.csgraph import shortest_path

    return [shortest_path(np.array([[0, 1, 9], [0, 0, 2], [0, 0, 0]]))[0, 2], stats.norm.ppf(0.975).round(3)]


def fit(_):
    from scipy import optimize

    x = np.arange(9.0)
    a, b = optimize.curve_fit(lambda x, a, b: a * x + b, x, x - 1)[0].round(3)
    return [a, b, optimize.linprog([1], bounds=[(2, 5)]).fun]


def rotate(x):
    from scipy.spatial.transform import Rotation

    return Rotation.from_euler("z", 90, degrees=True).apply(x).round(3).tolist()


def sound(x):
    import io

    from scipy.io import wavfile

    out = io.BytesIO()
    wavfile.write(out, 8000, np.array(x))
    rate, data = wavfile.read(out)
    return [rate, len(data)]


def light(_):
    from scipy import constants

    return constants.c / 1e8


def objects(x):
    from scipy import ndimage

    labels, n = ndimage.label(x)
    return [n, ndimage.center_of_mass(np.array([0, 1, 1, 0]))[0]]


def surface(x):
    from scipy.interpolate import griddata

    return float(griddata([(0, 0), (1, 0), (0, 1), (1, 1)], [0, 1, 0, 1], [(x[0], x[0])])[0].round(3))


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
