# shellcheck shell=bash
serve 8000
http 200 '\[6.0, 1.732051, 1.732051\]' '/fft?x=1&x=2&x=3'
http 200 '0.0[0-9]+' '/ttest?x=1&x=2&x=3'
http 200 '\[1.0, 1.0\]' /minimize
http 200 '[0-9.]+' '/spline?x=0&x=1&x=4&x=9'
http 200 '\[5.0\]' /eigen
http 200 '0.2' '/neighbours?x=1&x=2&x=4'
http 200 '\[2.0.*, 0.37\]' /integrate
http 200 '0.293' '/smooth?x=0&x=1&x=0'
http 200 '\[24.0' '/special?x=5'
http 200 '2$' '/cluster?x=1&x=1.1&x=9'
http 200 '\[0.3456, 0.8216\]' /random
http 200 '\[\[1.0, 2.0\]\]' '/roundtrip?x=1&x=2'
http 200 '\[1.0, 1.0\]' '/polynomial?x=1&x=2&x=3'
http 200 '\[5.414, 0.5\]' '/hull?x=0'
http 200 '\[3.0, 1.96\]' /paths
http 200 '\[1.0, -1.0, 2.0\]' /fit
http 200 '0.0, 1.0, 0.0' '/rotate?x=1&x=0&x=0'
http 200 '\[8000, 3\]' '/sound?x=1&x=2&x=3'
http 200 '2.99792458' /light
http 200 '\[2, 1.5\]' '/objects?x=1&x=0&x=1'
http 200 '0.5' '/surface?x=0.5'
http 404 'Not Found' /nothing
http 501 'Unsupported method' -X POST /mean
stop
